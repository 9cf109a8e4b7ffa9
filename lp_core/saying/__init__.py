"""From a script to a talking portrait."""
