"""What our networks and formulas give for the inputs of the recordings, array by array; tests compare the same."""
