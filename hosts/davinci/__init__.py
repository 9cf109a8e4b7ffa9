"""DaVinci Resolve and Fusion: scripts of the menu, the Fusion macro, and what installs them."""
