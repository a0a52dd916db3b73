// SPDX-License-Identifier: Apache-2.0
//
// Splitting of the schema's texts. They come from a catalogue that the core has checked, so there is nothing to refuse.
#include "schema.hpp"

#include <algorithm>
#include <sstream>

namespace rayo::tools {

std::vector<OperandText> parse_operands(const std::string &text) {
  std::vector<OperandText> operands;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    OperandText operand;
    operand.optional = word.front() == '[';
    if (operand.optional) word = word.substr(1, word.find(']') - 1);
    const std::size_t colon = word.find(':');
    operand.name = word.substr(0, colon);
    operand.type = colon == std::string::npos ? "" : word.substr(colon + 1);
    operands.push_back(operand);
  }
  return operands;
}

std::vector<TypeVariable> parse_types(const std::string &text) {
  std::vector<TypeVariable> variables;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    const std::size_t equals = word.find('=');
    TypeVariable variable;
    variable.name = word.substr(0, equals);
    std::istringstream names(equals == std::string::npos ? "" : word.substr(equals + 1));
    for (std::string name; std::getline(names, name, ',');) variable.dtypes.push_back(name);
    variables.push_back(variable);
  }
  return variables;
}

std::vector<std::string> all_dtypes(const std::string &text) {
  std::vector<std::string> names;
  for (const TypeVariable &variable : parse_types(text)) {
    for (const std::string &name : variable.dtypes) {
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  }
  return names;
}

}  // namespace rayo::tools
