# What builds with sanitizers leave out: folders, test programs (neither is built) and tests, each with its reason.
# Everything else runs there. cmake/RayoSanitize.cmake reads this list; `./dev sanitize` prints it.

# Nothing of ours that runs: the text of the sources, or what the compiler and the linker make of it.
rayo_leave_out(tests/lint tests/docs BECAUSE "they look at the text of the sources and documents")
rayo_leave_out(plugin_objects lapack_plugin_file BECAUSE "sanitizers put symbols and initialisers of their own into objects")
rayo_leave_out(packaging BECAUSE "it installs and links what is built, and runs no code that other tests do not")
rayo_leave_out(core.a_program_that_does_not_link_the_library_opens_it
               BECAUSE "a program without the sanitizer's run time cannot load a library that has one")

# Failures on purpose, that a sanitizer would stop at or prevents.
rayo_leave_out(tests/alloc BECAUSE "its malloc fails on request, and a sanitizer has a malloc of its own")
rayo_leave_out(tests/faults BECAUSE "plugins that crash, hang and scribble on purpose: reports, where signals are expected")
rayo_leave_out(mutant_table mutants_test replay_test conform_command_test
               conform_reports.are_read_by_other_programs claims_test conform_claims
               BECAUSE "plugins with planted bugs, which sanitizers stop at, and limits on memory, of which they need more")
rayo_leave_out(CliBadInput.ALimitOnTheProcessIsAMessageToo
               BECAUSE "a limit on address space, of which sanitizers reserve terabytes")

# `./dev sanitize` runs it by the program itself.
rayo_leave_out(conform_quick BECAUSE "rayo conform --quick follows the tests")

# The CUDA plugin runs where a GPU is, or on the simulated driver.
rayo_leave_out(tests/cuda plugins/cuda BECAUSE "the simulated driver runs GPU threads as fibers, whose stacks sanitizers take for errors")

# Where threads are not what is tested.
rayo_leave_out(reduce_test normalise_test quantise_test cast_test gemm_int_test traps_test elementwise_test
               elementwise_ops_test guard_test rayo_math_table conform_traps_test UNDER thread
               BECAUSE "values of single calls: digests run each kernel, on up to seven threads")
rayo_leave_out(child_test UNDER thread BECAUSE "children of several threads, of which ThreadSanitizer loses count")
rayo_leave_out(tools_same_bits_test UNDER thread
               BECAUSE "the digests compare what it compares, without a program per call line")

# Third parties that are not instrumented.
rayo_leave_out(Executor.OpenMPGivesThePoolsBits Executor.AForkedChildOfAnOpenMPProgramComputes UNDER thread
               BECAUSE "ThreadSanitizer does not see how libgomp's threads wait for each other")
rayo_leave_out(plugins/vulkan UNDER thread
               BECAUSE "Vulkan drivers start threads of their own, and ThreadSanitizer does not see what these wait for")
rayo_leave_out(vulkan.validation UNDER address undefined
               BECAUSE "the same tests again, for what the driver's validation layer says, which is not instrumented")

# Limits of the sanitizers of GCC 12.
rayo_leave_out(VulkanDevice.ThousandCyclesOfCreateAndDestroyDoNotGrow UNDER address
               BECAUSE "AddressSanitizer keeps freed memory for a while, and LeakSanitizer looks for leaks already")
rayo_leave_out(FakeProbe.WithoutDescriptorsTheFileIsNotProbedAndNoneIsLost UNDER undefined
               BECAUSE "UBSan asks by a pipe whether an object can be read, and there is no descriptor left for one")
rayo_leave_out(Fork.AChildComputesWhileTheParentsThreadsAreInTheMiddleOfCalls UNDER address
               BECAUSE "AddressSanitizer's allocator stays locked in a child that is forked while a thread is in it")
rayo_leave_out(Fork.AChildComputesWhileTheParentsThreadsAreInTheMiddleOfCalls Fork.AChildMayForkAndDestroyToo UNDER thread
               BECAUSE "ThreadSanitizer takes a thread of a forked child for the one of its parent that had the same number")
