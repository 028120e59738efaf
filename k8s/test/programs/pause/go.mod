module clipcut.test/pause

go 1.24.0
