export { chooseProvider, type Devices, probeDevices } from './devices.js';
export { RuntimeError, type RuntimeErrorCode } from './errors.js';
export { type Bindings, type BoundSession, loadBoundSession } from './native/bound-session.js';
export { hasCApi } from './native/c-api.js';
export { placeTensors, type TensorSize } from './native/place.js';
export { type Memory, WebAssembly } from './native/web-assembly.js';
export { loadProgram, type Program, type ProgramModel, type State } from './program.js';
export { createSession, type Provider, type Session, type SessionOptions, type ValueInfo } from './session.js';
export { arrayTypeOf, type DType, type NumberDType, type StringTensor, sizeOf, type Tensor, type TensorData, tensor } from './tensor.js';
