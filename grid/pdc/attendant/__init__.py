"""What openPDC, run as the PDC of the same tables, has beside it: settings, reloads, health."""
