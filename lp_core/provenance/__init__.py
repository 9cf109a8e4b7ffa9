"""What a finished result says of itself: who made it from what, with whose consent, and under which signature."""
