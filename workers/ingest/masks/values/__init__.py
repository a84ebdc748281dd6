"""What the colours and levels of grey of masks mean."""
