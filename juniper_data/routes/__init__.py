"""The dataset service's routes: requests in, the catalog's answers out. Each file has a class with `operations()`."""
