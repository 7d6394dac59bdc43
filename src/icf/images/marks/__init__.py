"""What a picture's metadata says of its use: C2PA, CAWG and IPTC marks."""
