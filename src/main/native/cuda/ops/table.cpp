// The table of the CUDA device's ops. An op without a launcher fails to link here.
#include "cuda/launch.h"

namespace ln {
namespace cuda {

extern const Ops table;
const Ops table = {
#include "entries.inc"
};

}  // namespace cuda
}  // namespace ln
