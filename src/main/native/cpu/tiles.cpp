// Products of tiles through oneDNN, each run by one thread of a parallel region.
#include <omp.h>

#include <list>

#include "cpu/onednn.h"

namespace ln {

struct TileProduct {
  Tile tile;
  dnnl::engine engine;
  dnnl::memory::desc a, b, c, plain_b;
  dnnl::matmul::primitive_desc desc;
  dnnl::matmul matmul;
  dnnl::reorder pack;
};

// Few, so that a search beats a table.
struct Tiles {
  std::list<TileProduct> made;
};

bool Tile::operator==(const Tile& t) const {
  return M == t.M && N == t.N && K == t.K && a_transposed == t.a_transposed &&
         b_transposed == t.b_transposed && a_stride == t.a_stride && b_stride == t.b_stride &&
         c_stride == t.c_stride && dtype == t.dtype && packed == t.packed &&
         accumulate == t.accumulate;
}

static dnnl::memory::desc matrix(int64_t rows, int64_t columns, bool transposed, int64_t stride,
                                 int32_t dtype) {
  dnnl::memory::dims strides{transposed ? 1 : stride, transposed ? stride : 1};
  return dnnl::memory::desc({rows, columns}, onednn_type(dtype), strides);
}

static TileProduct make(OneDnn& dnn, const Tile& t) {
  TileProduct p{t, dnn.engine, {}, {}, {}, {}, {}, {}, {}};
  p.a = matrix(t.M, t.K, t.a_transposed, t.a_stride, t.dtype);
  p.plain_b = matrix(t.K, t.N, t.b_transposed, t.b_stride, t.dtype);
  p.b = t.packed
            ? dnnl::memory::desc({t.K, t.N}, onednn_type(t.dtype), dnnl::memory::format_tag::any)
            : p.plain_b;
  p.c = matrix(t.M, t.N, false, t.c_stride, LN_F32);
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  if (t.accumulate) {
    dnnl::post_ops after;
    after.append_sum(1.0f);
    attributes.set_post_ops(after);
  }
  p.desc = dnnl::matmul::primitive_desc(dnn.engine, p.a, p.b, p.c, attributes);
  p.b = p.desc.weights_desc();
  p.matmul = dnnl::matmul(p.desc);
  if (t.packed)
    p.pack = dnnl::reorder(dnnl::reorder::primitive_desc(dnn.engine, p.plain_b, dnn.engine, p.b));
  return p;
}

const TileProduct* tile_product(Device* device, const Tile& tile) {
  OneDnn& dnn = *device->onednn;
  try {
    if (!dnn.tiles) dnn.tiles = std::make_shared<Tiles>();
    for (const TileProduct& p : dnn.tiles->made)
      if (p.tile == tile) return &p;
    // A primitive splits its work among the threads of its making.
    omp_set_num_threads(1);
    dnn.tiles->made.push_back(make(dnn, tile));
    omp_set_num_threads(dnn.threads);
    return &dnn.tiles->made.back();
  } catch (const std::exception& e) {
    omp_set_num_threads(dnn.threads);
    fail(LN_FAILED, "oneDNN product of tiles %lld x %lld x %lld: %s", (long long)tile.M,
         (long long)tile.N, (long long)tile.K, e.what());
    return nullptr;
  }
}

int64_t tile_packed_bytes(const TileProduct* p) { return int64_t(p->b.get_size()); }

int64_t tile_scratch_bytes(const TileProduct* p) {
  return int64_t(p->desc.scratchpad_desc().get_size());
}

static dnnl::memory at(const TileProduct* p, const dnnl::memory::desc& desc, const void* address) {
  return dnnl::memory(desc, p->engine, const_cast<void*>(address));
}

int tile_pack(const TileProduct* p, const void* b, void* packed) {
  try {
    dnnl::stream stream(p->engine);
    dnnl::memory from = at(p, p->plain_b, b), to = at(p, p->b, packed);
    p->pack.execute(stream, from, to);
    return LN_OK;
  } catch (const std::exception& e) {
    return fail(LN_FAILED, "packing a tile: %s", e.what());
  }
}

int tile_run(const TileProduct* p, const void* a, const void* b, float* c, void* scratch) {
  try {
    dnnl::stream stream(p->engine);
    p->matmul.execute(stream, {{DNNL_ARG_SRC, at(p, p->a, a)},
                               {DNNL_ARG_WEIGHTS, at(p, p->b, b)},
                               {DNNL_ARG_DST, at(p, p->c, c)},
                               {DNNL_ARG_SCRATCHPAD, at(p, p->desc.scratchpad_desc(), scratch)}});
    return LN_OK;
  } catch (const std::exception& e) {
    return fail(LN_FAILED, "product of tiles: %s", e.what());
  }
}

}  // namespace ln
