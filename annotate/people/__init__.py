"""Who may answer: people, their invites, sessions and preferences."""
