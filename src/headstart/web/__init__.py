"""Pages in a browser: one server, and what each page shows and takes."""
