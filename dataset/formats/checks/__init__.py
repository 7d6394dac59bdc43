"""What the files of each format say, read again and held against the contents."""
