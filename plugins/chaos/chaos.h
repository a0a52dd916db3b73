// SPDX-License-Identifier: Apache-2.0
//
// Which fault this copy of the plugin was named for, and the deeds that need nothing of the plugin's tables.
#pragma once

namespace chaos {

// The part of "chaos-STAGE-DEED.so" behind the given stage; "" when the file is named for another stage.
const char *deed_of(const char *stage) noexcept;
bool is(const char *stage, const char *deed) noexcept;

// Does what the file's name asks for at this stage: nothing, if it names another stage. May not return, and may throw.
void act(const char *stage);

}  // namespace chaos
