"""Networks whose weights stay as they are: what measures an image while the image changes."""
