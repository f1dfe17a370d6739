"""The box's configuration: a draft that people edit, versions, what an apply would change, apply and rollback."""
