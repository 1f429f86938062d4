"""The REST API, `/api/v1`: a file for each resource, thin over the operations."""
