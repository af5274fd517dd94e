// The table of this instruction set's ops. An op without an implementation fails to link here.
#include "cpu/ops/op.h"

namespace ln {
namespace LN_ISA {

extern const Ops table;
const Ops table = {
#include "entries.inc"
};

}  // namespace LN_ISA
}  // namespace ln
