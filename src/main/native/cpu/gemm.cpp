// Matrix products through oneDNN.
#include <omp.h>

#include <tuple>
#include <unordered_map>

#include "common/types.h"
#include "cpu/onednn.h"

namespace ln {

namespace {

using Key = std::tuple<int64_t, int64_t, int64_t, int, float, int64_t, int64_t, int64_t>;

struct KeyHash {
  size_t operator()(const Key& k) const {
    size_t h = 1469598103934665603u;
    auto mix = [&h](size_t x) { h = (h ^ x) * 1099511628211u; };
    mix(size_t(std::get<0>(k)));
    mix(size_t(std::get<1>(k)));
    mix(size_t(std::get<2>(k)));
    mix(size_t(std::get<3>(k)));
    mix(std::hash<float>()(std::get<4>(k)));
    mix(size_t(std::get<5>(k)));
    mix(size_t(std::get<6>(k)));
    mix(size_t(std::get<7>(k)));
    return h;
  }
};

struct Primitive {
  dnnl::matmul::primitive_desc desc;
  dnnl::matmul matmul;
  dnnl::memory a, b, c, bias, scratch;
};

}  // namespace

struct Matmuls {
  std::unordered_map<Key, Primitive, KeyHash> made;
};

OneDnn* onednn_open(int threads) {
  OneDnn* dnn = new OneDnn;
  dnn->threads = threads;
  return dnn;
}

void onednn_close(OneDnn* dnn) { delete dnn; }

int64_t onednn_scratch_bytes(const OneDnn* dnn) {
  return int64_t(dnn->scratch.bytes + dnn->blocks.bytes);
}

void onednn_threads(const OneDnn& dnn) {
  if (omp_get_max_threads() != dnn.threads) omp_set_num_threads(dnn.threads);
}

static Primitive make(OneDnn& dnn, const Gemm& g) {
  using tag = dnnl::memory::format_tag;
  auto operand = [](int64_t rows, int64_t columns, const Matrix& m) {
    int64_t pitch = m.pitch(rows, columns);
    dnnl::memory::dims strides{m.transposed ? 1 : pitch, m.transposed ? pitch : 1};
    return dnnl::memory::desc({rows, columns}, onednn_type(m.dtype), strides);
  };
  auto a = operand(g.M, g.K, g.a), b = operand(g.K, g.N, g.b), c = operand(g.M, g.N, g.c);
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  dnnl::post_ops after;
  if (g.scale != 1.0f) after.append_eltwise(dnnl::algorithm::eltwise_linear, g.scale, 0.0f);
  if (g.accumulate) after.append_sum(1.0f);
  attributes.set_post_ops(after);

  Primitive p;
  if (g.bias) {
    dnnl::memory::desc bias({1, g.N}, dnnl::memory::data_type::f32, tag::ab);
    p.desc = dnnl::matmul::primitive_desc(dnn.engine, a, b, bias, c, attributes);
    p.bias = dnnl::memory(bias, dnn.engine, nullptr);
  } else {
    p.desc = dnnl::matmul::primitive_desc(dnn.engine, a, b, c, attributes);
  }
  p.matmul = dnnl::matmul(p.desc);
  p.a = dnnl::memory(a, dnn.engine, nullptr);
  p.b = dnnl::memory(b, dnn.engine, nullptr);
  p.c = dnnl::memory(c, dnn.engine, nullptr);
  p.scratch = dnnl::memory(p.desc.scratchpad_desc(), dnn.engine, nullptr);
  dnn.scratch.reserve(p.desc.scratchpad_desc().get_size());
  return p;
}

int onednn_gemm(Device* device, const Gemm& g) {
  if (g.M == 0 || g.N == 0) return LN_OK;
  if (g.rank) {
    int status = onednn_gemm(device, g.without_low_rank());
    return status ? status : onednn_gemm(device, g.low_rank_alone());
  }
  if (is_blocks(g.b.dtype)) return block_gemm(device, g);
  OneDnn& dnn = *device->onednn;
  try {
    onednn_threads(dnn);
    if (!dnn.matmuls) dnn.matmuls = std::make_shared<Matmuls>();
    auto& made = dnn.matmuls->made;
    int flags = g.a.transposed | g.b.transposed << 1 | (g.bias != 0) << 2 | g.accumulate << 3 |
                g.a.dtype << 4 | g.b.dtype << 8 | g.c.dtype << 12;
    Key key{g.M, g.N, g.K, flags, g.scale, g.a.stride, g.b.stride, g.c.stride};
    auto found = made.find(key);
    if (found == made.end()) found = made.emplace(key, make(dnn, g)).first;
    Primitive& p = found->second;
    p.a.set_data_handle(ptr<void>(g.a.address));
    p.b.set_data_handle(ptr<void>(g.b.address));
    p.c.set_data_handle(ptr<void>(g.c.address));
    p.scratch.set_data_handle(dnn.scratch.memory);
    std::unordered_map<int, dnnl::memory> arguments{{DNNL_ARG_SRC, p.a},
                                                    {DNNL_ARG_WEIGHTS, p.b},
                                                    {DNNL_ARG_DST, p.c},
                                                    {DNNL_ARG_SCRATCHPAD, p.scratch}};
    if (g.bias) {
      p.bias.set_data_handle(ptr<void>(g.bias));
      arguments.emplace(DNNL_ARG_BIAS, p.bias);
    }
    p.matmul.execute(dnn.stream, arguments);
    dnn.stream.wait();
    return LN_OK;
  } catch (const dnnl::error& e) {
    return fail(LN_FAILED, "oneDNN matmul of %lld x %lld x %lld: %s", (long long)g.M,
                (long long)g.N, (long long)g.K, e.what());
  } catch (const std::exception& e) {
    return fail(LN_OUT_OF_MEMORY, "matmul of %lld x %lld x %lld: %s", (long long)g.M,
                (long long)g.N, (long long)g.K, e.what());
  }
}

}  // namespace ln
