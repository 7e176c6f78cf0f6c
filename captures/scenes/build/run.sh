# A small build: two objects, one program, and a second make that finds nothing to do.
make -s && ./report && make -s
