"""What a person does to a call from the panel or the SDK: place it, end it, hold it, hand it over."""
