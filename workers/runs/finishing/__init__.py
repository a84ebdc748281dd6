"""Writing what a trained run owes: its report, its export, its best checkpoint's scores."""
