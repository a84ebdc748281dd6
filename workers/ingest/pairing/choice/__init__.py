"""Which of several masks is an image's, and which images have none."""
