"""torchvision's classifiers, segmentation and video networks, small."""

import torch

from .narrow import narrow

ARCHITECTURES = {}


def architecture(name, shape=(2, 3, 64, 64)):
    """Registers what makes a network of torchvision; its input is an image of that shape, or a clip."""

    def register(make):
        def build():
            import torchvision

            return make(torchvision), {"image": torch.randn(shape)}, True

        ARCHITECTURES[f"torchvision-{name}"] = build
        return make

    return register


def narrowed(name, shape=(2, 3, 64, 64), by=8, **options):
    """A network of that name with an eighth of its channels."""

    @architecture(name, shape)
    def make(torchvision):
        parts = name.split(".")
        module = torchvision.models
        for part in parts[:-1]:
            module = getattr(module, part)
        with narrow(by):
            return getattr(module, parts[-1])(weights=None, num_classes=5, **options)


for _name in ("resnet18", "resnet50", "resnext50_32x4d", "wide_resnet50_2", "densenet121", "vgg11", "vgg11_bn", "alexnet", "squeezenet1_0", "squeezenet1_1"):
    narrowed(_name)
narrowed("googlenet", aux_logits=False, init_weights=False)
narrowed("inception_v3", (2, 3, 80, 80), aux_logits=False, init_weights=False)
for _name in ("segmentation.fcn_resnet50", "segmentation.deeplabv3_resnet50"):
    narrowed(_name, weights_backbone=None)
for _name in ("video.r3d_18", "video.mc3_18", "video.r2plus1d_18"):
    narrowed(_name, (2, 3, 4, 32, 32))
narrowed("video.s3d", (1, 3, 16, 224, 224))


@architecture("mobilenet_v2")
def _(torchvision):
    return torchvision.models.mobilenet_v2(width_mult=0.25, num_classes=5)


@architecture("mobilenet_v3_small")
def _(torchvision):
    return torchvision.models.mobilenet_v3_small(width_mult=0.25, num_classes=5)


@architecture("mobilenet_v3_large")
def _(torchvision):
    return torchvision.models.mobilenet_v3_large(width_mult=0.25, num_classes=5)


@architecture("mnasnet")
def _(torchvision):
    return torchvision.models.MNASNet(0.25, num_classes=5)


@architecture("shufflenet_v2")
def _(torchvision):
    return torchvision.models.ShuffleNetV2([2, 2, 2], [8, 16, 32, 64, 64], num_classes=5)


@architecture("efficientnet")
def _(torchvision):
    from torchvision.models.efficientnet import EfficientNet, MBConvConfig

    stages = [(1, 3, 1, 8, 8, 1), (6, 3, 2, 8, 12, 2), (6, 5, 2, 12, 16, 2)]
    return EfficientNet([MBConvConfig(*stage) for stage in stages], dropout=0.0, num_classes=5, last_channel=32)


@architecture("efficientnet_v2")
def _(torchvision):
    from torchvision.models.efficientnet import EfficientNet, FusedMBConvConfig, MBConvConfig

    stages = [FusedMBConvConfig(1, 3, 1, 8, 8, 1), FusedMBConvConfig(4, 3, 2, 8, 16, 2), MBConvConfig(4, 3, 2, 16, 24, 2)]
    return EfficientNet(stages, dropout=0.0, num_classes=5, last_channel=32)


@architecture("convnext")
def _(torchvision):
    from torchvision.models.convnext import CNBlockConfig, ConvNeXt

    return ConvNeXt([CNBlockConfig(8, 16, 1), CNBlockConfig(16, 24, 2), CNBlockConfig(24, None, 1)], num_classes=5)


@architecture("vit", (2, 3, 32, 32))
def _(torchvision):
    return torchvision.models.VisionTransformer(32, 8, 2, 2, 16, 32, num_classes=5)


@architecture("swin", (2, 3, 32, 32))
def _(torchvision):
    return torchvision.models.SwinTransformer([2, 2], 8, [2, 2], [2, 2], [4, 4], num_classes=5)


@architecture("swin_v2", (2, 3, 32, 32))
def _(torchvision):
    from torchvision.models.swin_transformer import PatchMergingV2, SwinTransformerBlockV2

    return torchvision.models.SwinTransformer(
        [2, 2], 8, [2, 2], [2, 2], [4, 4], num_classes=5, block=SwinTransformerBlockV2, downsample_layer=PatchMergingV2
    )


@architecture("maxvit")
def _(torchvision):
    return torchvision.models.MaxVit((64, 64), 8, 4, [8, 16], [1, 1], 8, 0.0, num_classes=5)


@architecture("regnet_x")
def _(torchvision):
    from torchvision.models.regnet import BlockParams, RegNet

    return RegNet(BlockParams.from_init_params(depth=6, w_0=16, w_a=8.0, w_m=2.0, group_width=8), num_classes=5)


@architecture("regnet_y")
def _(torchvision):
    from torchvision.models.regnet import BlockParams, RegNet

    return RegNet(BlockParams.from_init_params(depth=6, w_0=16, w_a=8.0, w_m=2.0, group_width=8, se_ratio=0.25), num_classes=5)


@architecture("lraspp_mobilenet_v3")
def _(torchvision):
    from torchvision.models.segmentation.lraspp import _lraspp_mobilenetv3

    return _lraspp_mobilenetv3(torchvision.models.mobilenet_v3_large(width_mult=0.25, dilated=True), 5)


@architecture("video-mvit", (2, 3, 4, 32, 32))
def _(torchvision):
    from torchvision.models.video.mvit import MSBlockConfig, MViT

    blocks = [
        MSBlockConfig(1, 8, 8, [3, 3, 3], [3, 3, 3], [1, 1, 1], [1, 2, 2]),
        MSBlockConfig(2, 8, 16, [3, 3, 3], [3, 3, 3], [1, 2, 2], [1, 1, 1]),
    ]
    return MViT((32, 32), 4, blocks, residual_pool=False, residual_with_cls_embed=True, rel_pos_embed=False, proj_after_attn=False, num_classes=5)
