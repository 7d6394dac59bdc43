"""What people do on the annotation page: who they are, what they hold and said."""
