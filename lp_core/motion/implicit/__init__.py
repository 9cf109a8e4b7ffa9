"""Motion of the 21 implicit key points of the LivePortrait engine."""
