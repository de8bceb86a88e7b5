"""What one page alone shows: a folder a page, form.py what is asked and result.py what came out."""
