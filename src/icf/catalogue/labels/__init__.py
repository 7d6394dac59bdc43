"""What people's answers say of faces and pictures, for releases and for training."""
