"""The files of a run while it is worked on."""
