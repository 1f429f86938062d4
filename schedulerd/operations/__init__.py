"""What can be asked: one function for each wish, shared by the command line, the API and the pages."""
