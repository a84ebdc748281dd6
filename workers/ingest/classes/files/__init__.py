"""Files, folders and tables that name classes."""
