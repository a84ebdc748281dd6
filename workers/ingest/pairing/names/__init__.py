"""How names of images and of their masks differ."""
