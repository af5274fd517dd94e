package org.loranative.graph;

import java.util.Optional;

/** Where each value of a plan lies. */
public final class Addresses {
  private final long[] byId;
  private long scratch;

  Addresses(int values) {
    byId = new long[values];
  }

  void put(Value v, long address) {
    byId[v.id()] = address;
  }

  void scratch(long address) {
    scratch = address;
  }

  public long of(Value v) {
    long address = byId[v.id()];
    assert address != 0 : "no address for " + v;
    return address;
  }

  /** 0 when absent, as {@code lora_ops.h} wants it. */
  public long of(Optional<Value> v) {
    return v.isPresent() ? of(v.get()) : 0;
  }

  /** The region that {@link Op#scratchBytes} asked for. */
  public long scratch() {
    return scratch;
  }
}
