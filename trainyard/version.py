"""Which Trainyard this is; the client, which stands alone, says the same."""

VERSION = "0.1.0"
