package org.loranative.model.llm;

import org.loranative.graph.Graph;
import org.loranative.graph.Value;
import org.loranative.graph.ops.Act;
import org.loranative.graph.ops.ClampedGlu;
import org.loranative.graph.ops.Glu;
import org.loranative.graph.ops.PackedClampedGlu;
import org.loranative.graph.ops.PackedGlu;

/** What an expert makes of its gate and up: one kind is one record. */
interface GatedUnit {
  /** Of [rows, F] each. */
  Value of(Graph g, Value gate, Value up);

  /** Of both in one, [rows, 2F], as transformers 5 puts them together. */
  Value ofBoth(Graph g, Value both);

  /** Whether gate and up are in turn where they are together, not one behind the other. */
  boolean inTurn();

  /** {@code act(gate) up} (Shazeer 2020). */
  record Plain(Act act) implements GatedUnit {
    @Override
    public Value of(Graph g, Value gate, Value up) {
      return Glu.of(g, gate, up, act);
    }

    @Override
    public Value ofBoth(Graph g, Value both) {
      return PackedGlu.of(g, both, true, act);
    }

    @Override
    public boolean inTurn() {
      return false;
    }
  }

  /** {@link ClampedGlu}. */
  record Clamped(ClampedGlu.Setting setting) implements GatedUnit {
    @Override
    public Value of(Graph g, Value gate, Value up) {
      return ClampedGlu.of(g, gate, up, setting);
    }

    @Override
    public Value ofBoth(Graph g, Value both) {
      return PackedClampedGlu.of(g, both, setting);
    }

    @Override
    public boolean inTurn() {
      return true;
    }
  }
}
