"""Train embedders: data, augmentation, figures and export, as a task of the trainer."""
