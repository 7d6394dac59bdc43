"""Dividing a catalogue into train and test, by what each thing is."""
