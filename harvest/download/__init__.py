"""From a URL of the frontier to bytes in the blob store."""
