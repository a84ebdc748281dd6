"""Records of what is kept beside runs, and of the short jobs that workers do for it."""
