"""The processes of a stack: what they need, and how they are kept running."""
