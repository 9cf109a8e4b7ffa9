"""What the hosts' installers share."""
