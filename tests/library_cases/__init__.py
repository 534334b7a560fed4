"""Cases for every entry of the library, file by file, with the references that no peer library has."""
