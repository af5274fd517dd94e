package org.loranative.graph;

import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.lang.reflect.RecordComponent;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * The values in an op's record, read off its components: values, optional ones, lists of them and
 * records of them. Those marked {@link Out} are made, all others read.
 */
final class Held {
  /** How records of a class are taken apart and put together. */
  private record Form(List<Method> components, List<Boolean> made, Constructor<?> maker) {
    static Form of(Class<?> type) {
      try {
        List<Method> components = new ArrayList<>();
        List<Boolean> made = new ArrayList<>();
        List<Class<?>> types = new ArrayList<>();
        for (RecordComponent c : type.getRecordComponents()) {
          c.getAccessor().setAccessible(true);
          components.add(c.getAccessor());
          made.add(c.isAnnotationPresent(Out.class));
          types.add(c.getType());
        }
        Constructor<?> maker = type.getDeclaredConstructor(types.toArray(Class[]::new));
        maker.setAccessible(true);
        return new Form(List.copyOf(components), List.copyOf(made), maker);
      } catch (NoSuchMethodException e) {
        throw new IllegalStateException(type + " has no canonical constructor", e);
      }
    }

    Object get(int i, Object record) {
      try {
        return components.get(i).invoke(record);
      } catch (ReflectiveOperationException e) {
        throw new IllegalStateException(e);
      }
    }

    Object make(Object[] parts) {
      try {
        return maker.newInstance(parts);
      } catch (ReflectiveOperationException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  private static final ClassValue<Form> FORMS =
      new ClassValue<>() {
        @Override
        protected Form computeValue(Class<?> type) {
          return Form.of(type);
        }
      };

  private Held() {}

  static List<Value> read(Op op) {
    return values(op, false);
  }

  static List<Value> made(Op op) {
    return values(op, true);
  }

  private static List<Value> values(Op op, boolean made) {
    Form form = FORMS.get(op.getClass());
    List<Value> values = new ArrayList<>();
    for (int i = 0; i < form.components.size(); i++) {
      if (form.made.get(i) == made) {
        collect(form.get(i, op), values);
      }
    }
    return List.copyOf(values);
  }

  private static void collect(Object part, List<Value> values) {
    if (part instanceof Value v) {
      values.add(v);
    } else if (part instanceof Optional<?> o) {
      o.ifPresent(v -> collect(v, values));
    } else if (part instanceof List<?> all) {
      all.forEach(v -> collect(v, values));
    } else if (part instanceof Record) {
      Form form = FORMS.get(part.getClass());
      for (int i = 0; i < form.components.size(); i++) {
        collect(form.get(i, part), values);
      }
    }
  }

  /** The same op, or record, over other values. */
  static Object rebound(Object part, UnaryOperator<Value> f) {
    if (part instanceof Value v) {
      return f.apply(v);
    }
    if (part instanceof Optional<?> o) {
      return o.map(v -> rebound(v, f));
    }
    if (part instanceof List<?> all) {
      return all.stream().map(v -> rebound(v, f)).toList();
    }
    if (part instanceof Record) {
      Form form = FORMS.get(part.getClass());
      Object[] parts = new Object[form.components.size()];
      for (int i = 0; i < parts.length; i++) {
        parts[i] = rebound(form.get(i, part), f);
      }
      return form.make(parts);
    }
    return part;
  }
}
