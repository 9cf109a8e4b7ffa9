"""Routes that clients of D-ID and HeyGen can use by changing their base address and key."""
