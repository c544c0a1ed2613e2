"""The inspector: shows and checks C37.118 streams, captured or live."""
