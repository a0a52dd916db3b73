# cmake -DSPIRV=in.spv -DOUT=out.inc -P embed.cmake: a SPIR-V module as the words of a C array, separated by commas.
file(READ ${SPIRV} hex HEX)
string(REGEX REPLACE "(..)(..)(..)(..)" "0x\\4\\3\\2\\1,\n" words "${hex}")
file(WRITE ${OUT} "${words}")
