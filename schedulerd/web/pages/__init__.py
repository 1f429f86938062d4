"""The pages: a file for each, thin over the operations. They are whole HTML, and work without scripts."""
