"""What a PDC receives and sends: the model, its document, its copy on disk."""
