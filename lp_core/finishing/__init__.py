"""How a result is finished: cut, background, captions."""
