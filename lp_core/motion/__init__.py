"""Motion as data, and its algebra."""
