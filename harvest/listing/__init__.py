"""What sources list, stored: albums, characters, pictures, limits, exclusions."""
