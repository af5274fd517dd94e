// Prints how kernels are launched as JSON: tiles and the layout of argument structs, out of the
// headers that kernels and launchers share, so that benchmarks/gpu_check cannot drift from them.
#include <stddef.h>
#include <stdio.h>

#include <string>
#include <type_traits>
#include <utility>

#include "block_gemm.h"
#include "delta.h"
#include "dora.h"
#include "gated_gemm.h"
#include "head_gemm.h"
#include "hopper.h"
#include "hopper_attention.h"
#include "norms.h"
#include "tiled_attention.h"

namespace {

std::string tiles, heads, hopper_heads, rows, groups, structs;

void append(std::string* list, const std::string& name, const std::string& value) {
  *list += (list->empty() ? "" : ",\n    ") + ('"' + name + "\": {" + value + "}");
}

std::string number(const char* name, long value) {
  return '"' + std::string(name) + "\": " + std::to_string(value);
}

template <typename Tile>
void tile(const char* name) {
  append(&tiles, name,
         number("rows", Tile::kRows) + ", " + number("columns", Tile::kColumns) + ", " +
             number("depth", Tile::kDepth) + ", " + number("threads", Tile::kThreads) + ", " +
             number("shared", Tile::kSharedBytes));
}

template <typename Tile>
void head() {
  append(&heads, std::to_string(Tile::kHead),
         number("fwd_rows", Tile::kForwardRows) + ", " + number("bwd_rows", Tile::kBackwardRows) +
             ", " + number("threads", Tile::kThreads) + ", " +
             number("key_walks", Tile::kKeyWalks) + ", " + number("fwd", Tile::kForwardBytes) +
             ", " + number("dq", Tile::kQueryBytes) + ", " + number("dkv", Tile::kKeyBytes));
}

template <typename Tile>
void hopper_head() {
  append(&hopper_heads, std::to_string(Tile::kHead),
         number("rows", Tile::kRows) + ", " + number("threads", Tile::kThreads) + ", " +
             number("key_walks", Tile::kKeyWalks) + ", " + number("fwd_walk", Tile::kForward) +
             ", " + number("bwd_walk", Tile::kBackward) + ", " +
             number("fwd", Tile::kForwardBytes) + ", " + number("dq", Tile::kQueryBytes) + ", " +
             number("dkv", Tile::kKeyBytes));
}

// Norms' blocks follow from the shape: those of the check's shapes.
void row(long columns) {
  append(&rows, std::to_string(columns),
         number("rows", RowTile::rows(columns)) + ", " +
             number("threads", RowTile::threads(columns)) + ", " +
             number("warps", RowTile::warps(columns)) + ", " +
             number("shared", RowTile::kSharedBytes));
}

void group(long pixels, long channels) {
  append(&groups, std::to_string(pixels) + "x" + std::to_string(channels),
         number("pixels", GroupTile::pixels(pixels, channels)) + ", " +
             number("splits", GroupTile::splits(pixels, channels)) + ", " +
             number("threads", GroupTile::kThreads) + ", " +
             number("sums", GroupTile::sums_bytes(channels)) + ", " +
             number("of_group", sizeof(GroupSums)));
}

// ctypes' letter for a field's type, D for a Divisor.
template <typename T>
const char* letter() {
  return std::is_same<T, Divisor>::value    ? "D"
         : std::is_floating_point<T>::value ? (sizeof(T) == 4 ? "f" : "d")
         : sizeof(T) == 8                   ? "Q"
                                            : "i";
}

struct Layout {
  std::string fields;

  template <typename T>
  void field(const char* name, size_t offset) {
    fields += std::string(fields.empty() ? "" : ", ") + '"' + name + "\": [" +
              std::to_string(offset) + ", \"" + letter<T>() + "\"]";
  }
};

#define LN_FIELD(type, name) layout.field<decltype(type::name)>(#name, offsetof(type, name))

void gemm_layout() {
  typedef TensorGemmArguments T;
  Layout layout;
  LN_FIELD(T, a);
  LN_FIELD(T, b);
  LN_FIELD(T, low_a);
  LN_FIELD(T, low_b);
  LN_FIELD(T, a_stride);
  LN_FIELD(T, b_stride);
  LN_FIELD(T, low_a_stride);
  LN_FIELD(T, low_b_stride);
  LN_FIELD(T, c);
  LN_FIELD(T, c_stride);
  LN_FIELD(T, bias);
  LN_FIELD(T, rows_left);
  LN_FIELD(T, depth_left);
  LN_FIELD(T, partial);
  LN_FIELD(T, M);
  LN_FIELD(T, N);
  LN_FIELD(T, K);
  LN_FIELD(T, R);
  LN_FIELD(T, row_offset);
  LN_FIELD(T, scale);
  LN_FIELD(T, accumulate);
  LN_FIELD(T, c_is_f32);
  append(&structs, "gemm", number("bytes", sizeof(T)) + ", \"fields\": {" + layout.fields + "}");
}

void attention_layout() {
  typedef AttentionArguments T;
  Layout layout;
  LN_FIELD(T, M);
  LN_FIELD(T, keys);
  LN_FIELD(T, heads);
  LN_FIELD(T, kv_heads);
  LN_FIELD(T, D);
  LN_FIELD(T, window);
  LN_FIELD(T, q_group);
  LN_FIELD(T, k_group);
  LN_FIELD(T, scale);
  LN_FIELD(T, softcap);
  append(&structs, "attention",
         number("bytes", sizeof(T)) + ", \"fields\": {" + layout.fields + "}");
}

void group_layout() {
  typedef GroupArguments T;
  Layout layout;
  LN_FIELD(T, N);
  LN_FIELD(T, C);
  LN_FIELD(T, groups);
  LN_FIELD(T, pixels);
  LN_FIELD(T, splits);
  LN_FIELD(T, eps);
  LN_FIELD(T, silu);
  append(&structs, "group", number("bytes", sizeof(T)) + ", \"fields\": {" + layout.fields + "}");
}

void conv_layout() {
  typedef ConvArguments T;
  Layout layout;
  LN_FIELD(T, B);
  LN_FIELD(T, H);
  LN_FIELD(T, W);
  LN_FIELD(T, I);
  LN_FIELD(T, OH);
  LN_FIELD(T, OW);
  LN_FIELD(T, O);
  LN_FIELD(T, kernel);
  LN_FIELD(T, stride);
  LN_FIELD(T, pad);
  LN_FIELD(T, by_H);
  LN_FIELD(T, by_W);
  LN_FIELD(T, by_I);
  LN_FIELD(T, by_OH);
  LN_FIELD(T, by_OW);
  LN_FIELD(T, by_O);
  LN_FIELD(T, by_kernel);
  LN_FIELD(T, by_stride);
  append(&structs, "conv", number("bytes", sizeof(T)) + ", \"fields\": {" + layout.fields + "}");
}

void head_layout() {
  typedef HeadArguments T;
  Layout layout;
  LN_FIELD(T, groups);
  LN_FIELD(T, at_label);
  LN_FIELD(T, labels);
  LN_FIELD(T, rows);
  LN_FIELD(T, column0);
  LN_FIELD(T, group_pitch);
  LN_FIELD(T, softcap);
  append(&structs, "head", number("bytes", sizeof(T)) + ", \"fields\": {" + layout.fields + "}");
}

// A row's columns that one warp sums.
void head_groups() {
  append(&groups, "head_gemm", number("columns", HeadTile::kWarpColumns));
  append(&groups, "hopper_head_gemm", number("columns", HopperHeadTile::kColumns));
}

void mapped_layout() {
  typedef MappedGemmArguments T;
  append(&structs, "mapped_gemm",
         number("bytes", sizeof(T)) + ", " + number("g", offsetof(T, g)) + ", " +
             number("a", offsetof(T, a)) + ", " + number("b", offsetof(T, b)) + ", " +
             number("low_a", offsetof(T, low_a)) + ", " + number("low_b", offsetof(T, low_b)));
}

void gated_layout() {
  typedef GatedArguments T;
  Layout layout;
  LN_FIELD(T, gate);
  LN_FIELD(T, up);
  LN_FIELD(T, y);
  LN_FIELD(T, act);
  append(&structs, "gated", number("bytes", sizeof(T)) + ", \"fields\": {" + layout.fields + "}");
}

void mapped_conv_layout() {
  typedef MappedConvArguments T;
  Layout layout;
  LN_FIELD(T, width);
  LN_FIELD(T, height);
  LN_FIELD(T, kernel);
  LN_FIELD(T, stride);
  LN_FIELD(T, pad);
  LN_FIELD(T, channels);
  append(&structs, "mapped_conv",
         number("bytes", sizeof(T)) + ", " + number("g", offsetof(T, g)) + ", " +
             number("patches", offsetof(T, patches)) + ", " + number("w", offsetof(T, w)) +
             ", \"fields\": {" + layout.fields + "}");
}

void mapped_attention_layout() {
  typedef MappedAttentionArguments T;
  append(&structs, "mapped_attention",
         number("bytes", sizeof(T)) + ", " + number("a", offsetof(T, a)) + ", " +
             number("q", offsetof(T, q)) + ", " + number("k", offsetof(T, k)) + ", " +
             number("v", offsetof(T, v)) + ", " + number("dout", offsetof(T, dout)));
}

void dora_norm_layout() {
  typedef DoraNormArguments T;
  Layout layout;
  LN_FIELD(T, out);
  LN_FIELD(T, in);
  LN_FIELD(T, rank);
  LN_FIELD(T, scale);
  LN_FIELD(T, format);
  append(&structs, "dora_norm",
         number("bytes", sizeof(T)) + ", \"fields\": {" + layout.fields + "}");
}

void kronecker_layout() {
  typedef KroneckerArguments T;
  Layout layout;
  LN_FIELD(T, out_l);
  LN_FIELD(T, out_k);
  LN_FIELD(T, in_m);
  LN_FIELD(T, in_n);
  LN_FIELD(T, taps);
  LN_FIELD(T, scale);
  append(&structs, "kronecker",
         number("bytes", sizeof(T)) + ", \"fields\": {" + layout.fields + "}");
}

// A kernel whose blocks have one size.
template <typename Tile>
void plain_tile(const char* name) {
  append(&tiles, name,
         number("threads", Tile::kThreads) + ", " + number("shared", Tile::kSharedBytes));
}

void panel_layout() {
  typedef PanelArguments T;
  Layout layout;
  LN_FIELD(T, from);
  LN_FIELD(T, count);
  LN_FIELD(T, all_columns);
  LN_FIELD(T, row0);
  LN_FIELD(T, column0);
  LN_FIELD(T, rows);
  LN_FIELD(T, columns);
  append(&structs, "panel", number("bytes", sizeof(T)) + ", \"fields\": {" + layout.fields + "}");
}

}  // namespace

int main() {
  tile<LargeTile>("large");
  tile<SmallTile>("small");
  tile<TallTile>("tall");
  tile<WideTile>("wide");
  tile<BroadTile>("broad");
  tile<SquareTile>("square");
  tile<HeadTile>("head_gemm");
  tile<HopperHeadTile>("hopper_head_gemm");
  tile<LargeBlockTile>("block_large");
  tile<SmallBlockTile>("block_small");
  head<AttentionTile64>();
  head<AttentionTile96>();
  head<AttentionTile128>();
  head<AttentionTile160>();
  head<AttentionTile256>();
  hopper_head<WarpgroupAttentionTile64>();
  hopper_head<WarpgroupAttentionTile96>();
  hopper_head<WarpgroupAttentionTile128>();
  hopper_head<WarpgroupAttentionTile256>();
  row(200);
  row(4096);
  group(30, 40);
  group(16384, 320);
  gemm_layout();
  head_layout();
  head_groups();
  attention_layout();
  group_layout();
  conv_layout();
  panel_layout();
  dora_norm_layout();
  kronecker_layout();
  plain_tile<DoraNormTile>("dora_norm");
  plain_tile<KroneckerTile>("kronecker");
  mapped_layout();
  gated_layout();
  mapped_conv_layout();
  mapped_attention_layout();
  append(&tiles, "panel",
         number("rows", 1) + ", " + number("columns", PanelTile::kNumbers) + ", " +
             number("threads", PanelTile::kThreads) + ", " +
             number("shared", PanelTile::kSharedBytes));
  printf("{\n  \"nf4\": %d", int(kNf4));
  for (auto& [name, list] : {std::pair("tiles", &tiles), std::pair("heads", &heads),
                             std::pair("hopper_heads", &hopper_heads), std::pair("rows", &rows),
                             std::pair("groups", &groups), std::pair("structs", &structs)})
    printf(",\n  \"%s\": {\n    %s\n  }", name, list->c_str());
  printf("\n}\n");
}
